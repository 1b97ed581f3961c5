import { create } from 'webgpu'
import { compile } from '/work/main/dist/compiler/index.js'
import { zoo } from '/work/main/dist/models/index.js'
import { env, InferenceSession } from '/work/main/dist/runtime/index.js'

env.webgpu.gpu = create(['backend=null'])
const s = await InferenceSession.create(await compile(zoo[process.argv[2]].build()), { executionProviders: ['webgpu'] })
const r = s.executor.resident
const keys = new Map()
for (const [k, p] of r.pipelines.made) keys.set(await p, k)
const n = new Map()
for (const st of r.bound.steps) n.set(keys.get(st.pipeline), (n.get(keys.get(st.pipeline)) ?? 0) + 1)
for (const [k, v] of n) console.log(v, k)
await s.release()
