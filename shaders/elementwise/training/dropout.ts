import { list, type Shader } from '../../dispatch.js'

/** One invocation an element of a list. */
export const listed = (block: string, file: string, entry: string): Shader => ({
  block,
  dispatches: p => [{ files: ['index', file], entry, vector: false, groups: list(p.count) }]
})

export const dropout = listed('Dropout', 'dropout', 'dropout')
