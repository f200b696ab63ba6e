// Stands in for `swiper`, which the card renderer imports for carousels. Carousels are not registered.

export const A11y = undefined;
export const Autoplay = undefined;
export const History = undefined;
export const Keyboard = undefined;
export const Navigation = undefined;
export const Pagination = undefined;
export const Scrollbar = undefined;

export default class NoSwiper {}
