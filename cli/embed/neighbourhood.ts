import { Random } from '../../runtime/train/index.js'
import { needPeers } from '../terminal/index.js'

/** As many neighbours of each as UMAP's authors take. */
const usual = 15

/**
 * Places on a plane that keep near what is near by cosine (UMAP: McInnes, Healy and Melville, arXiv 1802.03426), by the package
 * umap-js; the same for the same vectors. `onStep` is told how far it is. Throws InputError where the package is missing.
 */
export async function neighbourhood(
  vectors: readonly Float32Array[],
  onStep?: (done: number, total: number) => void
): Promise<[number, number][]> {
  await needPeers('--umap', ['umap-js'])
  const { UMAP } = await import('umap-js')
  const random = new Random(1)
  const umap = new UMAP({
    ...{ nComponents: 2, nNeighbors: Math.min(usual, vectors.length - 1), random: () => random.next() },
    distanceFn: apart
  })
  const total = umap.initializeFit(vectors.map(vector => Array.from(vector)))
  for (let i = 0; i < total; i++) {
    umap.step()
    onStep?.(i + 1, total)
  }
  return umap.getEmbedding().map(([x, y]) => [x, y])
}

/** 1 less the cosine. */
function apart(a: readonly number[], b: readonly number[]): number {
  let [product, first, second] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    product += a[i] * b[i]
    first += a[i] * a[i]
    second += b[i] * b[i]
  }
  const scale = Math.sqrt(first * second)
  return scale ? Math.max(0, 1 - product / scale) : 1
}
