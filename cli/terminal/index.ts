export {
  type Command,
  Flags,
  InputError,
  jsonOption,
  longName,
  type Option,
  oneLine,
  print,
  printJson,
  printNotes,
  UsageError
} from './command.js'
export { needPeers } from './peers.js'
export { Progress } from './progress.js'
export { count, escapeXml, facts, scaled, shape, short, size, table } from './table.js'
