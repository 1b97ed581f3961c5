export { contactSheet, filterTile, pngOf, tileOf } from './contact-sheet.js'
export { type Crops, cropsOf, cropsOption } from './crops.js'
export {
  imageOptions,
  imagePort,
  imageTensor,
  imageTensors,
  leavesSize,
  type Preparation,
  preparationOf,
  rememberedFor,
  seenRegion
} from './image-input.js'
export { beginningOf, pictureOf, pictureReader, readPicture, refusalOf } from './picture-file.js'
