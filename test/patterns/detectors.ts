// Detectors as exporters end them, with suppression inside.
import type { ModelBuilder } from '../support/model.js'

export const detectors: Readonly<Record<string, (m: ModelBuilder) => string | readonly string[]>> = {}
