"""A small network on one machine: namespaces for nodes, bridges and routers between
them, and real wigwag daemons inside. Nothing here touches the machine's own network;
every interface lives in a namespace that the lab made and that dies with it.
"""
