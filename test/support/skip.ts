// Tests that cannot run here: counted by the runner, each with its reason.

export let skipped = 0

export function skip(name: string, reason: string): void {
  skipped++
  console.log(`skipped: ${name}: ${reason}`)
}
