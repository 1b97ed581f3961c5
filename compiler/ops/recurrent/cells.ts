import { activations } from '../elementwise/activation.js'

/** What one step of a recurrent layer makes of its gates, in double precision (ONNX operator text of RNN, GRU and LSTM). */

/**
 * Gates of each kind of layer, which is how kernels tell them: of an RNN the state itself, of a GRU update, reset and state, of an
 * LSTM input, output, forget and cell.
 */
export const gatesOf = { RNN: 1, GRU: 3, LSTM: 4 } as const

/** alpha tanh(beta x): the function of a gate that `activations` does not have, numbered behind them. */
export const scaledTanh = Object.keys(activations).length

/** A step of one image in one direction: its states, and what gates are computed from. */
export interface Step {
  readonly hidden: Float64Array
  readonly cell: Float64Array
  /** What the inputs and the biases add to element `i` of a gate. */
  input(gate: number, i: number): number
  /** The recurrent weights of element `i` of a gate times a state. */
  product(gate: number, i: number, state: Float64Array): number
  bias(i: number): number
  peephole(gate: number, i: number): number
  /** The layer's function `which`: of the gates, of the new state or cell, and of an LSTM's result. */
  act(which: number, value: number): number
  readonly late: number
  readonly coupled: number
}

interface States {
  readonly hidden: Float64Array
  readonly cell: Float64Array
}

const rnn = (step: Step): States => ({
  hidden: step.hidden.map((_, i) => step.act(0, step.input(0, i) + step.product(0, i, step.hidden))),
  cell: step.cell
})

function gru(step: Step): States {
  const { hidden, late } = step
  const gate = (at: number) => hidden.map((_, i) => step.act(0, step.input(at, i) + step.product(at, i, hidden)))
  const [update, reset] = [gate(0), gate(1)]
  const kept = hidden.map((value, i) => reset[i] * value)
  const wanted = hidden.map((_, i) => {
    const sum = late ? reset[i] * (step.product(2, i, hidden) + step.bias(i)) : step.product(2, i, kept)
    return step.act(1, step.input(2, i) + sum)
  })
  return { hidden: hidden.map((value, i) => (1 - update[i]) * wanted[i] + update[i] * value), cell: step.cell }
}

function lstm(step: Step): States {
  const { hidden, cell } = step
  const gate = (at: number, peeped: Float64Array) =>
    hidden.map((_, i) => {
      const sum = step.input(at, i) + step.product(at, i, hidden)
      return step.act(0, sum + step.peephole(at, i) * peeped[i])
    })
  const taken = gate(0, cell)
  const kept = step.coupled ? taken.map(value => 1 - value) : gate(2, cell)
  const wanted = hidden.map((_, i) => step.act(1, step.input(3, i) + step.product(3, i, hidden)))
  const next = cell.map((value, i) => kept[i] * value + taken[i] * wanted[i])
  const given = gate(1, next)
  return { hidden: given.map((value, i) => value * step.act(2, next[i])), cell: next }
}

/** By the number of gates. */
export const cells: Readonly<Record<number, (step: Step) => States>> = { 1: rnn, 3: gru, 4: lstm }
