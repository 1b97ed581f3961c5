import { ServingError } from './errors.js'

/** Memory that bodies of requests under way may take together, so that many large ones cannot take it all. */
export class Budget {
  private taken = 0

  constructor(private readonly total: number) {}

  get held(): number {
    return this.taken
  }

  take(bytes: number): void {
    if (this.taken + bytes > this.total)
      throw new ServingError('busy', 'the requests under way fill the memory for their bodies; try again later', 1)
    this.taken += bytes
  }

  give(bytes: number): void {
    this.taken -= bytes
  }
}
