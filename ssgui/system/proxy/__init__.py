"""The system's proxy setting: one backend per desktop, a journal and a guard so that none is left behind."""
