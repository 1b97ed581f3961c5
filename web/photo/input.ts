import { byId } from '../dom.js'
import { showFailure } from '../views/status.js'
import { Camera } from './camera.js'
import { filesOf } from './files.js'
import { frameOf, type Photo } from './photo.js'

/** Everything by which files and frames reach the page. */
export interface Receiver {
  files(files: readonly File[]): void
  photo(photo: Photo): void
  /** A frame of the live camera; the next one is taken when it is done. */
  frame(photo: Photo): Promise<void>
}

/** Frames are kept small: what counts is how many there are in a second. */
const liveSide = 640
const photoSide = 1280

const video = byId<HTMLVideoElement>('video')
const camera = new Camera(video)
let live = false
let onFrame: Receiver['frame']

export function startInput(receiver: Receiver): void {
  for (const [button, input] of [
    ['choose-model', 'model-file'],
    ['choose-photo', 'photo-file'],
    ['choose-labels', 'labels-file']
  ]) {
    const chooser = byId<HTMLInputElement>(input)
    byId(button).onclick = () => chooser.click()
    chooser.onchange = () => {
      receiver.files([...(chooser.files ?? [])])
      chooser.value = ''
    }
  }
  listenForDrops(receiver)
  document.onpaste = ({ clipboardData }) => {
    const files = [...(clipboardData?.files ?? [])]
    if (files.length) receiver.files(files)
  }
  byId('camera').onclick = () => void toggleCamera().catch(showFailure)
  byId('turn-camera').onclick = () => void turnCamera().catch(showFailure)
  byId('take').onclick = () => {
    receiver.photo(frameOf(video, photoSide))
    stopCamera()
  }
  byId('live').onclick = () => setLive(!live)
  onFrame = receiver.frame
}

function listenForDrops({ files }: Receiver): void {
  const dragging = (on: boolean) => document.body.toggleAttribute('data-dragging', on)
  document.ondragover = event => {
    event.preventDefault()
    dragging(true)
  }
  document.ondragleave = event => {
    if (!event.relatedTarget) dragging(false)
  }
  document.ondrop = event => {
    dragging(false)
    // A part of the page may have taken the files for itself.
    if (event.defaultPrevented) return
    event.preventDefault()
    if (event.dataTransfer) void filesOf(event.dataTransfer).then(files, showFailure)
  }
}

async function toggleCamera(): Promise<void> {
  if (camera.running) return stopCamera()
  showFailure(undefined)
  await camera.start()
  document.dispatchEvent(new Event('camera'))
  showCamera()
  byId('turn-camera').hidden = !camera.running || !(await camera.several())
}

async function turnCamera(): Promise<void> {
  try {
    await camera.turn()
  } finally {
    if (!camera.running) stopCamera()
  }
}

function setLive(on: boolean): void {
  live = on
  showCamera()
  if (live) void runLive()
}

/** The camera straight to the model, or off. */
export async function toggleLive(): Promise<void> {
  const on = !live
  if (on !== camera.running) await toggleCamera()
  if (on) setLive(true)
}

export function stopCamera(): void {
  camera.stop()
  live = false
  showCamera()
}

function showCamera(): void {
  byId('camera').textContent = camera.running ? 'Stop the camera' : 'Camera'
  for (const id of ['take', 'live']) byId(id).hidden = !camera.running
  if (!camera.running) byId('turn-camera').hidden = true
  for (const id of ['live', 'try-camera']) byId(id).setAttribute('aria-pressed', String(live))
  byId('live').textContent = 'Live'
  video.hidden = !camera.running || live
  if (camera.running) byId('no-photo').hidden = true
  if (!video.hidden) byId('canvas').hidden = true
}

async function runLive(): Promise<void> {
  while (live) {
    const began = performance.now()
    await onFrame(frameOf(video, liveSide))
    await new Promise(resolve => requestAnimationFrame(resolve))
    if (live) byId('live').textContent = `Live, ${(1000 / (performance.now() - began)).toFixed(1)} a second`
  }
}
