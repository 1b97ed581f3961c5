import fs from 'node:fs'
import * as ort from 'cairnjs/ort'
import { compile } from 'cairnjs/compiler'
ort.env.cairn = { cache: '/work/tmp/cachetest' }
const med = a => a.sort((x,y)=>x-y)[a.length>>1]
const t = { cairn: [], cached: [] , both: []}
for (let i=0;i<25;i++) {
  let s = performance.now(); let a = await ort.InferenceSession.create('/work/tmp/mb.cairn'); t.cairn.push(performance.now()-s); await a.release()
  s = performance.now(); a = await ort.InferenceSession.create('/work/shared/models/mobilenet_v2_imagenet.onnx'); t.cached.push(performance.now()-s); await a.release()
}
console.log(Object.fromEntries(Object.entries(t).map(([k,v])=>[k, med(v)])))
