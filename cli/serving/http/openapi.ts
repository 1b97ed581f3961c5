type Schema = Readonly<Record<string, unknown>>

export interface OpenApi {
  readonly openapi: string
  readonly info: Readonly<Record<string, string>>
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

export interface Operation {
  readonly summary: string
  readonly parameters?: readonly Readonly<Record<string, unknown>>[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<Record<string, { readonly description: string }>>
}

const text = { type: 'string' }
const whole = { type: 'integer' }
const list = (items: Schema) => ({ type: 'array', items })
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const object = (properties: Readonly<Record<string, Schema>>, ...required: string[]) => ({
  type: 'object',
  properties,
  ...(required.length ? { required } : {})
})

const parameters = { type: 'object', additionalProperties: true }
const data = { type: 'array', items: {}, description: 'numbers or booleans in C order, flat or nested' }

const schemas = {
  Error: object({ error: text }, 'error'),
  Server: object({ name: text, version: text, extensions: list(text) }, 'name', 'version', 'extensions'),
  Tensor: object({ name: text, datatype: text, shape: list(whole) }, 'name', 'datatype', 'shape'),
  Model: object(
    { name: text, versions: list(text), platform: text, inputs: list(ref('Tensor')), outputs: list(ref('Tensor')) },
    'name',
    'platform'
  ),
  Input: object({ name: text, shape: list(whole), datatype: text, parameters, data }, 'name', 'shape', 'datatype'),
  Request: object(
    { id: text, parameters, inputs: list(ref('Input')), outputs: list(object({ name: text, parameters }, 'name')) },
    'inputs'
  ),
  Response: object(
    { model_name: text, model_version: text, id: text, outputs: list(ref('Input')) },
    'model_name',
    'outputs'
  ),
  Index: list(object({ name: text, version: text, state: text, reason: text }, 'name', 'state')),
  Classes: object({
    model_name: text,
    model_version: text,
    classes: list(object({ index: whole, score: { type: 'number' }, label: text }, 'index', 'score'))
  })
}

const json = (name: string) => ({ 'application/json': { schema: ref(name) } })
const failure = (description: string) => ({ description, content: json('Error') })
const answers = (name: string | undefined, ...codes: (keyof typeof failures)[]) => ({
  200: { description: 'done', ...(name ? { content: json(name) } : {}) },
  ...Object.fromEntries(codes.map(code => [code, failures[code]]))
})

const failures = {
  400: failure('the request is not what the model takes, or no JSON'),
  401: failure('the bearer token is missing or wrong'),
  403: failure('a page of another site has asked, or by a name that is not localhost’s'),
  404: failure('no such model or version'),
  408: failure('the request has not come in time'),
  413: failure('the body is larger than allowed'),
  415: failure('the body is compressed'),
  429: failure('the queue is full; Retry-After says when to try again'),
  500: failure('the server has failed'),
  503: failure('not ready, or not loaded'),
  504: failure('the deadline has passed')
}

const bytes = { schema: { type: 'string', format: 'binary' } }
const usual = [400, 401, 403, 404, 408, 413, 415, 429, 500, 503, 504] as const

/** What the REST side offers, as OpenAPI; the protocol's part as the Open Inference Protocol describes it. */
export function openApi(version: string): OpenApi {
  const paths: Record<string, Record<string, Operation>> = {
    '/v2/health/live': { get: { summary: 'Whether the server lives', responses: answers(undefined) } },
    '/v2/health/ready': { get: { summary: 'Whether all models are ready', responses: answers(undefined, 503) } },
    '/v2': { get: { summary: 'The server', responses: answers('Server', 401) } }
  }
  for (const path of ['/v2/models/{name}', '/v2/models/{name}/versions/{version}']) {
    paths[path] = { get: { summary: 'A model’s inputs and outputs', responses: answers('Model', 401, 404, 503) } }
    paths[`${path}/ready`] = {
      get: { summary: 'Whether a model is ready', responses: answers(undefined, 401, 404, 503) }
    }
    paths[`${path}/infer`] = {
      post: {
        summary: 'Runs a model; tensors as JSON, or as bytes behind the JSON (binary tensor extension)',
        parameters: [
          {
            ...{ name: 'Inference-Header-Content-Length', in: 'header', schema: whole },
            description: 'Bytes of the JSON, where bytes of tensors follow it'
          }
        ],
        requestBody: { content: { ...json('Request'), 'application/octet-stream': bytes } },
        responses: answers('Response', ...usual)
      }
    }
  }
  for (const path of ['/classify/{name}', '/classify/{name}/versions/{version}'])
    paths[path] = {
      post: {
        summary:
          'The best classes of a picture; ?top=K says how many, and mean, std, size and others what the model expects',
        requestBody: { content: { 'image/jpeg': bytes, 'image/png': bytes } },
        responses: answers('Classes', ...usual)
      }
    }
  Object.assign(paths, {
    '/v2/repository/index': {
      post: {
        summary: 'All models and versions, and what state they are in',
        responses: answers('Index', 400, 401, 403)
      }
    },
    '/v2/repository/models/{name}/load': {
      post: {
        summary: 'Loads a model of the repository, anew if it has changed',
        responses: answers(undefined, 400, 401, 403, 404, 413)
      }
    },
    '/v2/repository/models/{name}/unload': {
      post: {
        summary: 'Unloads a model behind the requests that it has',
        responses: answers(undefined, 400, 401, 403, 404, 413)
      }
    },
    '/metrics': { get: { summary: 'Metrics in Prometheus’ format', responses: answers(undefined, 401) } }
  })
  const named = Object.entries(paths).map(([path, operations]) => {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(match => match[1])
    if (!names.length) return [path, operations]
    const own = names.map(name => ({ name, in: 'path', required: true, schema: text }))
    return [path, { parameters: own, ...operations }]
  })
  return {
    openapi: '3.0.3',
    info: { title: 'Cairn', version, description: 'Models over the Open Inference Protocol v2.' },
    paths: Object.fromEntries(named),
    components: { schemas }
  }
}
