// What deploy/ has for Kubernetes, against the published schemas, and against the flags that the command takes.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import * as apps from 'kubernetes-models/apps/v1'
import * as autoscaling from 'kubernetes-models/autoscaling/v2'
import * as policy from 'kubernetes-models/policy/v1'
import * as core from 'kubernetes-models/v1'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseAllDocuments } from 'yaml'
import { serve } from '../../cli/serve.js'
import { type Command, longName } from '../../cli/terminal/index.js'
import { worker } from '../../cli/worker.js'
import { root } from '../support/root.js'

const test = suite('serving: deploy')

// biome-ignore lint/suspicious/noExplicitAny: what a file holds is checked here
type Any = any

const documents = (file: string): Any[] =>
  parseAllDocuments(readFileSync(join(root, 'deploy', file), 'utf8')).map(document => {
    assert.equal(document.errors, [])
    return document.toJS()
  })

const models: Readonly<Record<string, new (data: Any) => { validate(): void }>> = {
  'apps/v1 Deployment': apps.Deployment,
  'v1 Service': core.Service,
  'policy/v1 PodDisruptionBudget': policy.PodDisruptionBudget,
  'autoscaling/v2 HorizontalPodAutoscaler': autoscaling.HorizontalPodAutoscaler
}

const flagsOf = ({ options }: Command) => options.map(longName)
const commands: Readonly<Record<string, readonly string[]>> = { serve: flagsOf(serve), worker: flagsOf(worker) }

function checkArgs([name, ...rest]: readonly string[]): void {
  for (const flag of rest.filter(each => each.startsWith('--')))
    assert.ok(commands[name]?.includes(flag.slice(2)), `${name} ${flag}`)
}

/** The pod around a container, for its schema. */
const podOf = (container: object) =>
  new core.Pod({ metadata: { name: 'x' }, spec: { containers: [container as never] } })

test('plain manifests fit the schemas of Kubernetes', () => {
  for (const file of ['kubernetes.yaml', 'workers.yaml'])
    for (const document of documents(file)) {
      const Model = models[`${document.apiVersion} ${document.kind}`]
      assert.ok(Model, `${document.apiVersion} ${document.kind}`)
      new Model(document).validate()
      for (const { args, securityContext } of document.spec.template?.spec.containers ?? []) {
        checkArgs(args)
        assert.equal([securityContext.readOnlyRootFilesystem, securityContext.allowPrivilegeEscalation], [true, false])
      }
    }
  assert.throws(() => new apps.Deployment({ spec: { replicas: 'three' } } as Any).validate())
})

/** The fields of KServe's two kinds that are used here, as its API reference has them; npm has no schema of theirs. */
const text = { type: 'string' }
const only = (properties: object, ...required: string[]) => ({
  ...{ type: 'object', properties, required, additionalProperties: false }
})
const format = only(
  { name: text, version: text, autoSelect: { type: 'boolean' }, priority: { type: 'integer' } },
  'name'
)
const kserve: Readonly<Record<string, object>> = {
  'serving.kserve.io/v1alpha1 ServingRuntime': only(
    {
      annotations: { type: 'object' },
      supportedModelFormats: { type: 'array', items: format, minItems: 1 },
      protocolVersions: { type: 'array', items: { enum: ['v1', 'v2', 'grpc-v1', 'grpc-v2'] } },
      containers: { type: 'array', minItems: 1 }
    },
    'containers'
  ),
  'serving.kserve.io/v1beta1 InferenceService': only(
    {
      predictor: only(
        {
          minReplicas: { type: 'integer' },
          maxReplicas: { type: 'integer' },
          // Of the pod, whose fields a predictor has as well.
          terminationGracePeriodSeconds: { type: 'integer' },
          model: only(
            {
              modelFormat: format,
              protocolVersion: { enum: ['v1', 'v2', 'grpc-v2'] },
              runtime: text,
              storageUri: text
            },
            'modelFormat'
          )
        },
        'model'
      )
    },
    'predictor'
  )
}

test('the runtime of KServe has its fields, and a container as Kubernetes has them', () => {
  const ajv = new Ajv()
  for (const document of documents('kserve.yaml')) {
    const { apiVersion, kind, metadata, spec } = document as Any
    const schema = kserve[`${apiVersion} ${kind}`]
    assert.ok(schema && metadata.name)
    assert.ok(ajv.validate(schema, spec as unknown), ajv.errorsText())
    for (const container of spec.containers ?? []) {
      podOf(container).validate()
      checkArgs(container.args)
      assert.is(container.name, 'kserve-container')
    }
  }
})

test('the image runs the command that the package has, with flags that it takes', () => {
  const lines = readFileSync(join(root, 'deploy/Dockerfile'), 'utf8')
  const { bin, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  assert.ok(lines.includes(`/app/node_modules/cairnjs/${bin.cairn.replace('./', '')}`))
  checkArgs(JSON.parse(/^CMD (.*)$/m.exec(lines)![1]))
  for (const name of ['fastify', 'pino', 'prom-client', '@grpc/grpc-js', '@grpc/proto-loader', 'bullmq', 'ioredis']) {
    assert.ok(lines.includes(name) && name in peerDependencies, name)
  }
  assert.match(lines, /:nonroot$/m)
})

test.run()
