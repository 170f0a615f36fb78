/** Pages that nobody sees first, and the English of all: fetched right after the first paint, so that they are not in its way. */
export { default as BasketPage } from './BasketPage.vue'
export { default as MissedPage } from './MissedPage.vue'
export { default as PriorityPage } from './PriorityPage.vue'
export { default as SearchPage } from './SearchPage.vue'
export { default as SlipPage } from './SlipPage.vue'
export { default as StaffPage } from './StaffPage.vue'
export { default as StillThere } from './StillThere.vue'
export { default as english } from './en.json'
