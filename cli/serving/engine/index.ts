export { type Caller, Engine, type EngineOptions, type Inferred } from './engine.js'
