module.exports = require('cairnjs/ort')
