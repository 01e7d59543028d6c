// A file of its own, so that the page needs no inline script and the browser can refuse them all.
"use strict";

SwaggerUIBundle({
  dom_id: "#api",
  url: "/schema",
  // The default sends the document to a validator on the internet.
  validatorUrl: null,
  // Otherwise ?url=… in the address would make this page show a foreign document.
  queryConfigEnabled: false,
  deepLinking: true,
  displayRequestDuration: true,
  // Shows the minimum and maximum of parameters.
  showCommonExtensions: true,
  defaultModelsExpandDepth: 0,
  defaultModelExpandDepth: 3,
  tryItOutEnabled: true,
});
