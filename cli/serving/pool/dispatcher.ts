import type { Lane } from './lane.js'
import type { Pool } from './pool.js'

/** Gives idle threads what waits, one lane after the other. */
export class Dispatcher {
  private lanes: Lane[] = []

  constructor(private readonly pool: Pool) {
    pool.on('idle', () => this.pump())
  }

  add(lane: Lane): void {
    this.lanes.push(lane)
  }

  remove(lane: Lane): void {
    this.lanes = this.lanes.filter(each => each !== lane)
  }

  pump(): void {
    for (let member = this.pool.idle(); member; member = this.pool.idle()) {
      const lane = this.lanes.find(each => each.isReady())
      if (!lane) return
      this.lanes = [...this.lanes.filter(each => each !== lane), lane]
      void lane.start(member)
    }
  }
}
