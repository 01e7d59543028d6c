import"./chunk-J3EW3D3Z.js";
