/** What a maker, or who has looked it up, publishes of a GPU; nothing here was measured by this project. */
export interface Device {
  readonly name: string
  /** How an adapter's description names it. */
  readonly told: RegExp
  /** What workgroups are given to: cores of Apple's, streaming multiprocessors of NVIDIA's, shader processors of Qualcomm's. */
  readonly processors: number
  /** Gigaflops a second of single precision, a multiply-add being two. */
  readonly gflops: number
  /** Gigabytes a second between the GPU and its memory. */
  readonly bandwidth: number
  /** Where these figures are published. */
  readonly source: string
}

/** From a phone to a data centre. */
export const devices: readonly Device[] = [
  {
    name: 'Adreno 740',
    told: /adreno.*740/i,
    processors: 5,
    gflops: 3700,
    bandwidth: 64,
    source: 'primua.com/adreno-740: 5 execution units, 3.7 TFLOPS, LPDDR5X at 64 GB/s; Qualcomm publishes none'
  },
  {
    name: 'Apple M2',
    told: /apple m2$/i,
    processors: 10,
    gflops: 3600,
    bandwidth: 100,
    source: 'Apple, 6 June 2022: 10 cores, 3.6 TFLOPS, 100 GB/s'
  },
  {
    name: 'RTX 3060',
    told: /rtx 3060(?! ti)/i,
    processors: 28,
    gflops: 12740,
    bandwidth: 360,
    source: 'NVIDIA: 3584 cores in 28 multiprocessors at 1.777 GHz, 192 bits of GDDR6 at 15 Gb/s'
  },
  {
    name: 'H200',
    told: /h200/i,
    processors: 132,
    gflops: 67000,
    bandwidth: 4800,
    source: 'NVIDIA H200 SXM: 132 multiprocessors, 67 TFLOPS, HBM3e at 4.8 TB/s'
  }
]
