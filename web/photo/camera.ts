/** The camera, from permission to the last track that is stopped. */
export class Camera {
  private stream: MediaStream | undefined
  /** Away from the user, as one photographs things, or towards. */
  private facing: 'environment' | 'user' = 'environment'

  constructor(readonly video: HTMLVideoElement) {}

  get running(): boolean {
    return this.stream !== undefined
  }

  /** Whether there is another camera to turn to. */
  async several(): Promise<boolean> {
    return (await camerasOf()).length > 1
  }

  /** To the camera at the other side of a phone, or to the next one of a computer, which has no sides. */
  async turn(): Promise<void> {
    const settings = this.stream?.getVideoTracks()[0]?.getSettings()
    const all = await camerasOf()
    const next = all[(all.findIndex(({ deviceId }) => deviceId === settings?.deviceId) + 1) % all.length]
    this.facing = this.facing === 'user' ? 'environment' : 'user'
    this.stop()
    await this.start(settings?.facingMode || !next ? undefined : next.deviceId)
  }

  async start(deviceId?: string): Promise<void> {
    if (!navigator.mediaDevices) throw new Error('the camera needs a secure page: https or localhost')
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        video: {
          ...(deviceId ? { deviceId: { exact: deviceId } } : { facingMode: { ideal: this.facing } }),
          width: { ideal: 1280 },
          height: { ideal: 720 }
        }
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

async function camerasOf(): Promise<MediaDeviceInfo[]> {
  const all = await navigator.mediaDevices.enumerateDevices()
  return all.filter(({ kind }) => kind === 'videoinput')
}

const reasons: Readonly<Record<string, string>> = {
  NotAllowedError: 'the browser was not allowed to use the camera; its settings for this page can change that',
  NotFoundError: 'there is no camera',
  NotReadableError: 'the camera is in use by another program'
}
