/** What a command asks of its host. Imports have the name of this file, so it is WASI's own for its preview 1. */

export declare function args_sizes_get(count: usize, bytes: usize): i32
export declare function args_get(arguments: usize, texts: usize): i32
export declare function path_open(
  folder: i32,
  lookup: i32,
  path: usize,
  length: usize,
  how: i32,
  rights: i64,
  inherited: i64,
  flags: i32,
  file: usize
): i32
export declare function fd_read(file: i32, parts: usize, count: i32, read: usize): i32
export declare function fd_write(file: i32, parts: usize, count: i32, written: usize): i32
export declare function proc_exit(code: i32): void
