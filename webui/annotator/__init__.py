"""The span editor: its page parts, its wire format and the component made of them."""
