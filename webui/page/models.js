// The models of the page, as `describe_models` in predict_view.py makes them, and which one the visitor has chosen.
const models = new Map(props.models.map((model) => [model.name, model]));
const chosenModel = () => models.get(document.querySelector("#predict-model input:checked")?.value) ?? props.models[0];
// Draws for the chosen model, now and whenever the visitor chooses another one.
const drawForChosenModel = (draw) => {
  document.addEventListener("ner:model", () => draw(chosenModel()));
  draw(chosenModel());
};
