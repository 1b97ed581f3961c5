export { contest, type Standing } from './contest.js'
export {
  cpuPeers,
  type EngineName,
  type EngineOptions,
  engineNames,
  type Feed,
  type Opened,
  type Output,
  type PeerName,
  packagesOf,
  peerNames,
  prepare,
  titles
} from './engine.js'
export { bareBytes } from './fresh.js'
export { gflops, interleave, showSpread } from './interleave.js'
export { Peak } from './peak.js'
export { medianCalls, type NodeFacts, type Profile, profileOf, profileText } from './profile.js'
export { geometricMean, median, ratioOf, type Spread, spreadOf } from './statistics.js'
export { findEngine, modelFor, openChecked, openOn, orReason, type Subject, subjectOf, worstOf } from './subject.js'
export { decodePlan, encodePlan, type Plan, permuted, type Step } from './tfjs/plan.js'
