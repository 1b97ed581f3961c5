import * as vega from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import { type EngineName, type Spread, titles } from '../cli/measure/index.js'

export interface Bar {
  readonly network: string
  readonly engine: EngineName
  readonly ratio: Spread
}

/** Readable on white and on black alike. */
export const ink = '#7d8590'
export const colours = ['#2f81f7', '#db7c26', '#8957e5', '#3fa45b']

const config = {
  font: 'system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif',
  view: { stroke: null },
  axis: {
    labelColor: ink,
    titleColor: ink,
    titleFontWeight: 'normal',
    gridColor: ink,
    gridOpacity: 0.2,
    domain: false,
    ticks: false,
    labelPadding: 6,
    labelFontSize: 11
  },
  axisY: { grid: false },
  legend: {
    labelColor: ink,
    orient: 'top',
    symbolType: 'square',
    labelFontSize: 11,
    labelLimit: 0,
    columnPadding: 24
  },
  header: { labelColor: ink, labelFontSize: 12, labelFontWeight: 600 },
  title: { color: ink, subtitleColor: ink, fontSize: 15, subtitleFontSize: 11, fontWeight: 600 }
} as const

/** A specification in the look that all charts share. */
export function drawn(spec: TopLevelSpec): Promise<string> {
  const whole = { background: 'transparent', padding: 12, config, ...spec } as TopLevelSpec
  return new vega.View(vega.parse(compile(whole).spec), { renderer: 'none' }).toSVG()
}

/** Horizontal bars, one a network and peer: how many times as long as Cairn the peer takes, with quartiles. */
export function chart(bars: readonly Bar[], title: string, subtitle: string): Promise<string> {
  const values = bars.map(({ network, engine, ratio }) => ({ network, peer: titles[engine], ...ratio }))
  const networks = [...new Set(values.map(({ network }) => network))]
  const peers = [...new Set(values.map(({ peer }) => peer))]
  const y = {
    y: { field: 'network', type: 'nominal', sort: networks, title: null },
    yOffset: { field: 'peer', type: 'nominal', sort: peers }
  } as const
  return drawn({
    width: 560,
    height: { step: peers.length > 1 ? 11 : 18, for: 'offset' } as never,
    title: { text: title, subtitle, anchor: 'start', offset: 12 },
    data: { values },
    layer: [
      {
        mark: { type: 'bar', cornerRadiusEnd: 2 },
        encoding: {
          ...y,
          x: {
            field: 'median',
            type: 'quantitative',
            title: 'times as long as Cairn',
            scale: { zero: true },
            axis: { tickMinStep: 0.5, labelFlush: false }
          },
          color: {
            field: 'peer',
            type: 'nominal',
            sort: peers,
            scale: { domain: peers, range: colours.slice(0, peers.length) },
            title: null
          }
        }
      },
      {
        mark: { type: 'rule', color: ink, strokeWidth: 1.5 },
        encoding: { ...y, x: { field: 'low', type: 'quantitative' }, x2: { field: 'high' } }
      },
      {
        mark: { type: 'text', align: 'left', dx: 5, color: ink, fontSize: 9 },
        encoding: {
          ...y,
          x: { field: 'high', type: 'quantitative' },
          text: { field: 'median', type: 'quantitative', format: '.2f' }
        }
      },
      {
        data: { values: [{ one: 1 }] },
        mark: { type: 'rule', color: ink, strokeDash: [4, 3] },
        encoding: { x: { field: 'one', type: 'quantitative' } }
      }
    ]
  })
}
