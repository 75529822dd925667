# Runs the same seeds in two processes and compares the hashes of all that happened.
foreach(process first second)
  execute_process(COMMAND ${SIMULATOR} --seeds 1..300 --hash OUTPUT_VARIABLE ${process}
                  COMMAND_ERROR_IS_FATAL ANY)
endforeach()
if(NOT first MATCHES "hash [0-9a-f]+" OR NOT first STREQUAL second)
  message(FATAL_ERROR "two runs of the same seeds differ:\n${first}${second}")
endif()
