// Which tab of this browser a draft belongs to, and whether that tab is still open: somebody who works on a document in
// one tab must not be offered his own unsaved work in another.

const PRESENCE_TIMEOUT_MS = 250;

class TabPresence {
  constructor(storage) {
    // The storage of a session lives as long as the tab, through every reload.
    this.id = storage.getItem("ner_tab") ?? randomToken();
    storage.setItem("ner_tab", this.id);
    this.waiting = new Map();
    this.channel = new BroadcastChannel("ner_tabs");
    this.channel.addEventListener("message", ({ data }) => {
      if (data.asks === this.id) this.channel.postMessage({ isOpen: this.id });
      else this.waiting.get(data.isOpen)?.(true);
    });
  }

  async isOpenElsewhere(id) {
    if (id === this.id) return false;
    const answer = new Promise((resolve) => {
      this.waiting.set(id, resolve);
      setTimeout(() => resolve(false), PRESENCE_TIMEOUT_MS);
    });
    this.channel.postMessage({ asks: id });
    return answer;
  }
}

function randomToken() {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}
