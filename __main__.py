"""The program of a stack, for `pulumi` by hand: the apps that the stack's settings select."""

from components.program import main

main()
