import"./chunk-FYH7S645.js";
