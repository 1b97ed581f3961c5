export { contactSheet, filterTile, pngOf, tileOf } from './contact-sheet.js'
export {
  imageOptions,
  imagePort,
  imageTensor,
  leavesSize,
  type Preparation,
  preparationOf,
  rememberedFor,
  seenRegion
} from './image-input.js'
export { beginningOf, pictureOf, pictureReader, readPicture, refusalOf } from './picture-file.js'
