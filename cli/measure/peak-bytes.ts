import { readFileSync } from 'node:fs'

/**
 * The most memory that this process has had resident. On Linux a process inherits the maximum of the one that started
 * it in `resourceUsage`, so the kernel's own record of this program is read there.
 */
export function peakBytes(): number {
  try {
    const match = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))
    if (match) return Number(match[1]) * 1024
  } catch {
    // Other systems have no such file, and do not inherit.
  }
  return process.resourceUsage().maxRSS * 1024
}

if (process.argv[2] === 'print') console.log(peakBytes())
