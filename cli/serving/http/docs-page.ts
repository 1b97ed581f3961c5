import { escapeXml } from '../../terminal/index.js'
import type { OpenApi, Operation } from './openapi.js'

/** The description as a page of its own, with nothing from elsewhere. */
export function docsPage({ info, paths, components }: OpenApi): string {
  const sections = Object.entries(paths).map(([path, operations]) =>
    Object.entries(operations)
      .filter(([method]) => method === 'get' || method === 'post')
      .map(([method, operation]) => section(method, path, operation))
      .join('')
  )
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `<h3 id="${name}">${name}</h3><pre>${escapeXml(JSON.stringify(schema, null, 1))}</pre>`
  )
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${info.title} ${info.version}</title><style>
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}
code,pre{font:14px/1.4 ui-monospace,monospace}section{border-top:1px solid #8886;padding:.5rem 0}
b{display:inline-block;width:4em;text-transform:uppercase}li code{display:inline-block;width:3em}</style>
<h1>${info.title} ${info.version}</h1><p>${info.description}
As <a href="openapi.json">OpenAPI</a>; for gRPC as <a href="docs/inference.proto">inference.proto</a>.</p>
${sections.join('')}<h2>Schemas</h2>${schemas.join('')}</html>`
}

function section(method: string, path: string, { summary, requestBody, responses }: Operation): string {
  const takes = Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) => `${type}${linked(schema)}`)
  const codes = Object.entries(responses).map(
    ([code, { description }]) => `<li><code>${code}</code> ${escapeXml(description)}</li>`
  )
  return `<section><b>${method}</b> <code>${path}</code><p>${escapeXml(summary)}${
    takes.length ? `<br>Takes ${takes.join(', ')}` : ''
  }</p><ul>${codes.join('')}</ul></section>`
}

function linked({ $ref }: Readonly<Record<string, unknown>>): string {
  const name = typeof $ref === 'string' ? $ref.split('/').at(-1) : undefined
  return name ? ` (<a href="#${name}">${name}</a>)` : ''
}
