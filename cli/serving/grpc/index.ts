export { type GrpcOptions, grpcServer } from './service.js'
