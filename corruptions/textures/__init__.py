"""The pictures that `frost` lays over an image, and the program that makes them."""
