/** The camera, from permission to the last track that is stopped. */
export class Camera {
  private stream: MediaStream | undefined

  constructor(readonly video: HTMLVideoElement) {}

  get running(): boolean {
    return this.stream !== undefined
  }

  async start(): Promise<void> {
    if (!navigator.mediaDevices) throw new Error('the camera needs a secure page: https or localhost')
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: { ideal: 'environment' }, width: { ideal: 1280 }, height: { ideal: 720 } }
      })
    } catch (error) {
      throw new Error(reasons[(error as Error).name] ?? `the camera cannot be used: ${(error as Error).message}`)
    }
    this.video.srcObject = this.stream
    await this.video.play()
  }

  stop(): void {
    for (const track of this.stream?.getTracks() ?? []) track.stop()
    this.stream = undefined
    this.video.srcObject = null
  }
}

const reasons: Readonly<Record<string, string>> = {
  NotAllowedError: 'the browser was not allowed to use the camera; its settings for this page can change that',
  NotFoundError: 'there is no camera',
  NotReadableError: 'the camera is in use by another program'
}
