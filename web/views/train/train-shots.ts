import { el } from '../../dom.js'
import { Camera } from '../../photo/camera.js'
import { stopCamera } from '../../photo/input.js'
import { frameOf, type Photo } from '../../photo/photo.js'

/** Milliseconds between two photos while the button is held down, and their longer side. */
const [pause, side] = [150, 640]

/** The camera of one class at a time: a press takes a photo, holding takes more. */
export class Shots {
  private readonly video = el('video', { playsInline: true, muted: true, 'aria-label': 'What the camera sees' })
  private readonly camera = new Camera(this.video)
  private readonly shutter = el('button', { type: 'button', className: 'main' }, 'Hold to take photos')
  private readonly closing = el('button', { type: 'button', onclick: () => this.close() }, 'Close the camera')
  private readonly box = el(
    'div',
    { className: 'shots' },
    this.video,
    el('div', { className: 'row' }, this.shutter, this.closing)
  )
  private take: (photo: Photo) => Promise<void> = async () => undefined
  private held = false

  constructor() {
    // A phone has one camera at a time to give.
    document.addEventListener('camera', () => this.close())
    const press = (event: Event) => {
      event.preventDefault()
      this.shutter.focus()
      if (!this.held) void this.hold()
    }
    const release = () => {
      this.held = false
    }
    this.shutter.onpointerdown = press
    this.shutter.onkeydown = event => {
      if (event.key === ' ' || event.key === 'Enter') press(event)
    }
    for (const name of ['pointerup', 'pointerleave', 'pointercancel', 'keyup', 'blur'])
      this.shutter.addEventListener(name, release)
    // A click that no pointer has made is a tool's that reads or steers the page.
    this.shutter.onclick = ({ detail }) => {
      if (detail === 0) void this.hold().finally(release)
      release()
    }
    this.shutter.oncontextmenu = event => event.preventDefault()
  }

  isAt(place: HTMLElement): boolean {
    return place.contains(this.box)
  }

  /** Shows the camera in `place`, in front of `before`. */
  async open(place: HTMLElement, before: Element, take: (photo: Photo) => Promise<void>): Promise<void> {
    this.close()
    stopCamera()
    this.take = take
    place.insertBefore(this.box, before)
    try {
      await this.camera.start()
      this.shutter.focus()
    } catch (error) {
      this.close()
      throw error
    }
  }

  close(): void {
    this.held = false
    this.camera.stop()
    this.box.remove()
  }

  private async hold(): Promise<void> {
    this.held = true
    do {
      if (this.video.videoWidth) await this.take(frameOf(this.video, side))
      await new Promise(resolve => setTimeout(resolve, pause))
    } while (this.held)
  }
}
