/**
 * Spans of OpenTelemetry, for whoever has registered its SDK in this process (`NODE_OPTIONS=--import …`) and says so with
 * `--traces`. Only the API is asked here; without it, and without the flag, there are none.
 */
export interface Traces {
  /** Runs `step` in a span whose parent is in `carrier`, a request's headers; what `step` notes are its attributes. */
  span<T>(name: string, carrier: Carrier, step: (note: Note) => Promise<T>): Promise<T>
}

export type Carrier = Readonly<Record<string, string | string[] | undefined>>
export type Note = (attributes: Readonly<Record<string, string | number>>) => void

export const noTraces: Traces = { span: (_, __, step) => step(() => undefined) }

export async function tracesOf(): Promise<Traces> {
  const { context, propagation, SpanKind, SpanStatusCode, trace } = await import('@opentelemetry/api')
  const tracer = trace.getTracer('cairn')
  return {
    span(name, carrier, step) {
      const parent = propagation.extract(context.active(), carrier)
      return tracer.startActiveSpan(name, { kind: SpanKind.SERVER }, parent, async span => {
        try {
          return await step(attributes => span.setAttributes(attributes))
        } catch (error) {
          span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message })
          throw error
        } finally {
          span.end()
        }
      })
    }
  }
}
