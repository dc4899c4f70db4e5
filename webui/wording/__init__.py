"""Every word of the interface, a module for each page; `webui.texts` joins them."""
