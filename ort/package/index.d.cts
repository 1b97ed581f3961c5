export * from 'cairnjs/ort'
export { default } from 'cairnjs/ort'
