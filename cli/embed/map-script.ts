/** What makes a map of features answer: who is near to a picture, which classes are shown, and how close one looks. */
export const mapScript = `(() => {
const { layouts, near } = JSON.parse(document.getElementById('map-data').textContent)
const svg = document.querySelector('svg')
const places = [...svg.querySelectorAll('g')]
const lines = svg.querySelector('path')
const told = document.getElementById('told')
const mark = document.getElementById('mark')
const side = svg.viewBox.baseVal.width
let points = layouts[0].points
let chosen
const hidden = new Set()
const picture = i => Object.assign(new Image(), { src: places[i].querySelector('image').getAttribute('href'), alt: '' })
const entry = (i, text) => {
  const item = document.createElement('li')
  const button = Object.assign(document.createElement('button'), { type: 'button', onclick: () => choose(i) })
  button.append(picture(i), text)
  item.append(button)
  return item
}
function draw() {
  places.forEach((place, i) => {
    place.style.transform = 'translate(' + points[i][0] + 'px,' + points[i][1] + 'px)'
    place.classList.toggle('gone', hidden.has(place.dataset.class))
    place.classList.toggle('chosen', i === chosen)
    place.classList.toggle('near', chosen !== undefined && near[chosen].some(each => each[0] === i))
  })
  svg.classList.toggle('some', chosen !== undefined)
  if (chosen !== undefined) {
    mark.removeAttribute('hidden')
    mark.setAttribute('transform', 'translate(' + points[chosen] + ')')
  }
  const half = Number(svg.dataset.half)
  const from = chosen === undefined ? [] : near[chosen].filter(each => !places[each[0]].classList.contains('gone'))
  lines.setAttribute('d', from.map(each => 'M' + points[chosen].map(v => v + half) + 'L' + points[each[0]].map(v => v + half)).join(''))
}
function choose(i) {
  chosen = i
  const list = document.createElement('ol')
  list.append(...near[i].map(each => entry(each[0], each[1].toFixed(3) + '  ' + places[each[0]].getAttribute('aria-label'))))
  const title = document.createElement('h2')
  title.append(picture(i), places[i].getAttribute('aria-label'))
  told.replaceChildren(title, list)
  draw()
}
places.forEach((place, i) => {
  place.onclick = place.onfocus = () => choose(i)
})
for (const button of document.querySelectorAll('[data-hides]'))
  button.onclick = () => {
    const name = button.dataset.hides
    if (!hidden.delete(name)) hidden.add(name)
    button.setAttribute('aria-pressed', String(!hidden.has(name)))
    draw()
  }
const layout = document.getElementById('layout')
if (layout) layout.onchange = () => {
  points = layouts[layout.selectedIndex].points
  document.getElementById('about').textContent = layouts[layout.selectedIndex].about
  draw()
}
const zoom = document.getElementById('zoom')
let centre = [side / 2, side / 2]
function look() {
  const size = side / zoom.value
  centre = centre.map(v => Math.min(Math.max(v, size / 2), side - size / 2))
  svg.setAttribute('viewBox', [centre[0] - size / 2, centre[1] - size / 2, size, size].join(' '))
}
zoom.oninput = () => {
  if (chosen !== undefined) centre = points[chosen].slice()
  look()
}
svg.onpointermove = event => {
  if (!event.buttons || zoom.value === '1') return
  const pixel = svg.viewBox.baseVal.width / svg.clientWidth
  centre = [centre[0] - event.movementX * pixel, centre[1] - event.movementY * pixel]
  look()
}
draw()
})()`
