"""What is on every page: sidebar, header, banners, toasts."""
