"""The optimisation of Gatys, Ecker and Bethge (CVPR 2016), in plain PyTorch.

Knows no socket, no file and no process: torch, torchvision and the settings are all it imports.
"""
