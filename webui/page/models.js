// The models on offer, as `describe_models` in predict_view.py makes them, and which one the visitor has chosen.
let models = new Map(props.models.map((model) => [model.name, model]));
// Another model may be put to use while the page is open; model.js hears of it first and tells the other views.
document.addEventListener("ner:models", ({ detail }) => {
  models = new Map(detail.models.map((model) => [model.name, model]));
});
const firstModel = () => models.values().next().value;
const chosenModel = () => models.get(document.querySelector("#predict-model input:checked")?.value) ?? firstModel();
// Draws for the chosen model, now and whenever the visitor chooses another one or others are on offer.
const drawForChosenModel = (draw) => {
  for (const event of ["ner:models", "ner:model"]) document.addEventListener(event, () => draw(chosenModel()));
  draw(chosenModel());
};
