// What is given in place of a model, named for what it is: by kindOf, by the compiler, the runtime and the command line.
