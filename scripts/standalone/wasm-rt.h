/* What the C that wasm2c (wabt 1.0.36 and later) makes of a model's module needs of its host, for modules without imports, tables
   and growing memory. Included once, in front of that code; every access is checked. */
#ifndef WASM_RT_H_
#define WASM_RT_H_

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WASM_RT_USE_SEGUE 0
#define WASM_RT_STACK_DEPTH_COUNT 0
#define WASM_RT_MEMCHECK_GUARD_PAGES 0
#define WASM_RT_MEMCHECK_BOUNDS_CHECK 1
#define WASM_RT_SANITY_CHECKS 0
#define wasm_rt_memcpy memcpy
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

typedef enum { WASM_RT_I32, WASM_RT_I64, WASM_RT_F32, WASM_RT_F64, WASM_RT_V128 } wasm_rt_type_t;
typedef enum { WASM_RT_TRAP_NONE, WASM_RT_TRAP_OOB, WASM_RT_TRAP_UNREACHABLE, WASM_RT_TRAP_DIV_BY_ZERO,
               WASM_RT_TRAP_INT_OVERFLOW, WASM_RT_TRAP_INVALID_CONVERSION, WASM_RT_TRAP_CALL_INDIRECT,
               WASM_RT_TRAP_EXHAUSTION } wasm_rt_trap_t;

typedef struct { uint8_t *data; uint64_t pages, max_pages, size; bool is64; } wasm_rt_memory_t;

/* Tables, of which a model's module has none. */
typedef void (*wasm_rt_function_ptr_t)(void);
typedef const char *wasm_rt_func_type_t;
typedef struct wasm_rt_tailcallee_t { void (*fn)(void **, void *, struct wasm_rt_tailcallee_t *); } wasm_rt_tailcallee_t;
typedef struct { wasm_rt_func_type_t func_type; wasm_rt_function_ptr_t func; wasm_rt_tailcallee_t func_tailcallee;
                 void *module_instance; } wasm_rt_funcref_t;
typedef void *wasm_rt_externref_t;
typedef struct { wasm_rt_funcref_t *data; uint32_t max_size, size; } wasm_rt_funcref_table_t;
typedef struct { wasm_rt_externref_t *data; uint32_t max_size, size; } wasm_rt_externref_table_t;
static const wasm_rt_funcref_t wasm_rt_funcref_null_value;
#define wasm_rt_externref_null_value NULL

static inline _Noreturn void wasm_rt_trap(wasm_rt_trap_t trap) {
  fprintf(stderr, "the model's module traps: %d\n", trap);
  abort();
}

static inline bool wasm_rt_is_initialized(void) { return true; }

static inline void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint64_t pages, uint64_t most, bool is64, uint32_t page) {
  memory->size = pages * page;
  memory->data = calloc(memory->size, 1);
  if (!memory->data) wasm_rt_trap(WASM_RT_TRAP_OOB);
  memory->pages = pages;
  memory->max_pages = most;
  memory->is64 = is64;
}

static inline void wasm_rt_free_memory(wasm_rt_memory_t *memory) { free(memory->data); }

#endif
