export default {
  // The server's part finds its .wasm files where npm has put them.
  serverExternalPackages: ['cairnjs']
}
