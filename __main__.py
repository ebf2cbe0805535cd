"""The program of a stack: the apps that its settings select."""

from components.program import run
from components.settings import Settings

run(Settings.read())
