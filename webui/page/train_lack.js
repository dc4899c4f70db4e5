// Why no training can be started. `props.value` is what `describe_start` in train_data.py makes.
const lack = element.querySelector('[data-field="lack"]');
const draw = () => {
  lack.textContent = props.value?.lack ?? "";
  lack.hidden = !lack.textContent;
};
watch("value", draw);
draw();
