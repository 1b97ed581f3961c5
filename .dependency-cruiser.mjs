// Who may use what. A room is a folder of this table, or of `layers`; what others may use of it its index.ts exports.
const rooms = {
  'runtime/base': [],
  'runtime/file': ['runtime/base'],
  'runtime/check': ['runtime/base', 'runtime/file'],
  'runtime/tensor': ['runtime/base'],
  'runtime/backend': ['runtime/base', 'runtime/file', 'runtime/tensor', 'shaders'],
  'runtime/cpu': ['runtime/base', 'runtime/file', 'runtime/backend'],
  'runtime/webgpu': ['runtime/base', 'runtime/file', 'runtime/tensor', 'runtime/backend', 'shaders'],
  'runtime/session': [
    ...['runtime/base', 'runtime/file', 'runtime/check', 'runtime/tensor', 'runtime/backend'],
    ...['runtime/cpu', 'runtime/webgpu']
  ],
  'runtime/late': ['runtime/base', 'runtime/tensor', 'runtime/session'],
  'runtime/train': ['runtime/base', 'runtime/file', 'runtime/tensor'],
  'compiler/algebra': ['runtime/file'],
  'compiler/graph': ['compiler/algebra', 'runtime/base', 'runtime/file', 'runtime/backend'],
  'compiler/ops': ['compiler/algebra', 'compiler/graph', 'runtime/base', 'runtime/file'],
  'compiler/onnx': ['compiler/algebra', 'compiler/graph', 'compiler/ops', 'runtime/base', 'schema'],
  'compiler/lower': [
    ...['compiler/algebra', 'compiler/graph', 'compiler/ops'],
    ...['runtime/base', 'runtime/file', 'runtime/backend']
  ],
  'compiler/infer': [
    ...['compiler/algebra', 'compiler/graph', 'compiler/ops', 'compiler/lower'],
    ...['runtime/file', 'runtime/check']
  ],
  'compiler/passes': ['compiler/algebra', 'compiler/graph', 'compiler/ops', 'compiler/lower', 'compiler/infer'],
  'compiler/gradients': ['compiler/algebra', 'compiler/graph', 'compiler/ops', 'compiler/infer', 'compiler/passes'],
  'compiler/convert': [
    ...['compiler/build.ts', 'compiler/algebra', 'compiler/graph', 'compiler/ops', 'compiler/onnx', 'compiler/infer'],
    'compiler/passes'
  ],
  'compiler/quantise': [
    ...['compiler/build.ts', 'compiler/graph', 'compiler/ops', 'compiler/onnx', 'compiler/infer', 'compiler/passes'],
    ...['runtime/base', 'runtime/file', 'runtime/check', 'runtime/backend']
  ],
  'compiler/standalone': [
    ...['compiler/emitter.ts', 'compiler/target.ts', 'compiler/lower'],
    ...['runtime/base', 'runtime/file', 'runtime/check']
  ],
  'cli/terminal': [],
  'cli/model': ['cli/terminal', 'compiler', 'train', 'runtime', 'schema'],
  'cli/pictures': ['cli/terminal', 'cli/model', 'compiler', 'train', 'runtime'],
  'cli/device': ['cli/terminal', 'cli/model', 'runtime'],
  'cli/report': ['cli/terminal', 'cli/model', 'compiler', 'train', 'runtime'],
  'cli/embed': ['cli/terminal', 'cli/pictures', 'runtime'],
  'cli/run': ['cli/terminal', 'cli/model', 'cli/pictures', 'cli/device', 'runtime'],
  'cli/measure': ['cli/terminal', 'cli/model', 'cli/device', 'compiler', 'runtime', 'models'],
  'cli/train': ['cli/terminal', 'cli/model', 'cli/pictures', 'compiler', 'train', 'runtime'],
  'cli/features': [
    ...['cli/terminal', 'cli/model', 'cli/pictures', 'cli/device', 'cli/train'],
    ...['compiler', 'runtime', 'explain']
  ],
  'cli/quantise': [
    ...['cli/terminal', 'cli/model', 'cli/pictures', 'cli/device', 'cli/train'],
    ...['compiler', 'runtime']
  ],
  'cli/serving/protocol': ['runtime'],
  'cli/serving/pool': ['cli/terminal', 'cli/model', 'cli/pictures', 'cli/serving/protocol', 'runtime'],
  'cli/serving/telemetry': ['cli/serving/protocol', 'cli/serving/pool'],
  'cli/serving/models': ['cli/terminal', 'cli/serving/protocol', 'cli/serving/pool', 'runtime'],
  'cli/serving/engine': ['protocol', 'pool', 'telemetry', 'models'].map(room => `cli/serving/${room}`),
  'cli/serving/http': ['cli/terminal', 'cli/pictures', 'cli/serving/protocol', 'cli/serving/engine'],
  'cli/serving/grpc': ['protocol', 'telemetry', 'engine'].map(room => `cli/serving/${room}`),
  'cli/serving/batches': [
    ...['cli/terminal', 'cli/model', 'cli/pictures', 'cli/serving/protocol', 'cli/serving/pool'],
    ...['compiler', 'train', 'runtime']
  ]
}

/** What stands at the top; rooms inside of a folder have their own lines above. */
const layers = {
  asm: [],
  shaders: [],
  models: ['schema'],
  runtime: ['shaders'],
  compiler: ['runtime/base', 'runtime/file', 'runtime/check', 'runtime/backend', 'runtime/late', 'schema'],
  train: [
    ...['runtime/base', 'runtime/file', 'runtime/check', 'runtime/backend'],
    ...['runtime/cpu', 'runtime/webgpu', 'runtime/train', 'compiler']
  ],
  explain: [
    ...['runtime/index.ts', 'runtime/base', 'runtime/file', 'runtime/tensor', 'runtime/backend'],
    ...['runtime/cpu', 'runtime/webgpu', 'runtime/train', 'compiler', 'train']
  ],
  ort: [
    ...['runtime/index.ts', 'runtime/base', 'runtime/file', 'runtime/backend', 'runtime/cpu', 'runtime/late'],
    'compiler'
  ],
  cli: ['runtime', 'compiler', 'train', 'explain', 'models', 'schema'],
  web: ['models'],
  bench: ['cli', 'train', 'ort/index.ts', 'compiler/index.ts', 'runtime/index.ts', 'models', 'schema']
}

const ours = `^(${[...Object.keys(layers), 'scripts', 'test', 'schema'].join('|')})/`
const isRoom = Object.keys(rooms).join('|')
/** Files at the top that stand below all rooms: where the package's own files are, and of the compiler's its errors. */
const base = ['runtime/(beside|worker-place|session-worker-place|compile-worker-place)\\.ts']
const ofCompiler = ['compiler/errors\\.ts']

function only(name, folder, allowed) {
  const belowAll = folder.startsWith('compiler') ? [...base, ...ofCompiler] : base
  const pathNot = [folder, ...allowed].map(other => (other.endsWith('.ts') ? `^${other}$` : `^${other}/`))
  return {
    name,
    severity: 'error',
    from: { path: `^${folder}/` },
    to: { path: ours, pathNot: [...pathNot, ...belowAll.map(file => `^${file}`)] }
  }
}

export default {
  forbidden: [
    { name: 'no circles, of types neither', severity: 'error', from: {}, to: { circular: true } },
    ...Object.entries(layers).map(([folder, allowed]) => only(`${folder} keeps to its place`, folder, allowed)),
    ...Object.entries(rooms).map(([folder, allowed]) => only(`${folder} keeps to its place`, folder, allowed)),
    {
      name: 'through the door',
      comment: 'A room is used by what its index.ts exports, but for what is loaded later. Tests look inside.',
      severity: 'error',
      from: { path: `^(${isRoom})/` },
      to: {
        path: `^(${isRoom})/`,
        pathNot: ['^$1/', `^(${isRoom})/index\\.ts$`],
        dependencyTypesNot: ['dynamic-import']
      }
    },
    {
      name: 'through the door, from outside of rooms',
      severity: 'error',
      from: { path: ours, pathNot: [`^(${isRoom})/`, '^test/', '^runtime/(session-)?worker\\.ts$'] },
      to: { path: `^(${isRoom})/`, pathNot: [`^(${isRoom})/index\\.ts$`], dependencyTypesNot: ['dynamic-import'] }
    },
    {
      name: 'the runtime has no dependencies',
      severity: 'error',
      from: { path: '^(runtime|shaders|asm)/' },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-peer', 'npm-optional', 'npm-no-pkg'] }
    },
    {
      name: 'only the stand-in knows onnxruntime',
      severity: 'error',
      from: { path: '^(runtime|compiler|train|explain|web)/' },
      to: { path: 'onnxruntime-common|^ort/' }
    },
    {
      name: 'compiler, training and the stand-in run in browsers',
      severity: 'error',
      from: { path: '^(compiler|train|explain|ort)/' },
      to: { dependencyTypes: ['core'] }
    },
    {
      name: 'only who reads or writes ONNX knows its schema',
      severity: 'error',
      from: {
        path: '^(runtime|compiler|train|explain|cli|web)/',
        pathNot: ['^compiler/onnx/', '^cli/model/(protobuf|files)\\.ts$']
      },
      to: { path: '^schema/|node_modules/(onnx-proto|protobufjs)/' }
    }
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' }
  }
}
