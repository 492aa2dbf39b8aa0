# `make` lists what there is. Every command sets up what it needs first, once.

STAGE ?= dev
# A folder of task files in place of tasks/, and the folder where the locks of its models lie.
TASKS ?=
CONTEXT = -c stage=$(STAGE) $(if $(TASKS),-c 'tasks=$(TASKS)')
LOCKS = $(if $(TASKS),$(dir $(abspath $(TASKS))))
PATH := $(CURDIR)/.venv/bin:$(PATH)
PYTHON := .venv/bin/python
CDK := .venv/bin/node node_modules/aws-cdk/bin/cdk
export PATH

.DEFAULT_GOAL := help
.PHONY: help set-up demo local upload approve predict test lint synth deploy destroy redrive review lock jumpstart-lock hub-lock clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16
	@echo "TASKS=folder: task files of that folder in place of tasks/ (demo, local, synth, deploy, destroy, ...-lock)"

set-up:
	@python3 -m local.set_up

demo: set-up ## The whole way on one machine (TASK=adverse_events|clinical_notes|all; DATA=train.jsonl EVAL=dev2.jsonl: on yours)
	@$(PYTHON) -m local demo $(if $(TASK),--task '$(TASK)') $(if $(TASKS),--tasks '$(TASKS)') $(if $(DATA),--data '$(DATA)') $(if $(EVAL),--evaluation '$(EVAL)')

local: set-up ## Start the local AWS with every stack deployed, and stay until Ctrl-C
	@$(PYTHON) -m local serve $(if $(TASKS),--tasks '$(TASKS)')

upload: set-up ## Upload FILE to the running demo (SET=name: as an evaluation set)
	@$(PYTHON) -m local upload '$(FILE)' $(if $(TASK),--task '$(TASK)') $(if $(SET),--set '$(SET)')

approve: set-up ## Approve the newest model of the running demo, as a person would: the live endpoint moves to it
	@$(PYTHON) -m local approve $(if $(TASK),--task '$(TASK)')

predict: set-up ## Ask the running demo's live endpoint: TEXT='...' (EXPLAIN=1: name the reports behind the answer)
	@$(PYTHON) -m local predict "$$TEXT" $(if $(TASK),--task '$(TASK)') $(if $(EXPLAIN),--explain)

test: ## Run every test
	@python3 -m local.set_up --with-images
	@$(PYTHON) -m pytest --numprocesses auto --no-loadscope-reorder

lint: set-up ## Check style and types
	@$(PYTHON) -m ruff check . && $(PYTHON) -m ruff format --check . && $(PYTHON) -m mypy

synth: set-up ## Write the CloudFormation templates of STAGE (default dev) to cdk.out; needs no account
	@$(CDK) synth --quiet --no-notices $(CONTEXT)

deploy: set-up ## Deploy STAGE to the AWS account of your credentials
	@$(CDK) deploy --all --no-notices $(CONTEXT)

destroy: set-up ## Take STAGE away from the AWS account of your credentials
	@$(CDK) destroy --all --no-notices $(CONTEXT)

redrive: set-up ## Put parked texts of TASK in STAGE back (FILES=1: parked files; ALL=1: refused texts too)
	@$(PYTHON) -m operations.redrive --stage $(STAGE) --task '$(TASK)' $(if $(FILES),--files) $(if $(ALL),--all)

review: set-up ## Say that an event of TASK in STAGE is right or wrong: EVENT=id SOURCE=name VERDICT=confirmed|rejected (REVIEWER=you)
	@$(PYTHON) -m operations.review --stage $(STAGE) --task '$(TASK)' --event "$$EVENT" --verdict '$(VERDICT)' \
		$(if $(SOURCE),--source "$$SOURCE") $(if $(REVIEWER),--reviewer "$$REVIEWER")

lock: set-up ## Compile the lists of exact versions from requirements.in
	@$(PYTHON) -m local.lock

jumpstart-lock: set-up ## Pin the JumpStart model MODEL of REGION (VERSION=2.0.0: that one); needs AWS credentials
	@$(PYTHON) -m stacks.jumpstart_lock --model-id '$(MODEL)' --region '$(REGION)' \
		$(if $(VERSION),--model-version '$(VERSION)') $(if $(TASKS),--output '$(LOCKS)jumpstart.lock.json')

hub-lock: set-up ## Pin the Hugging Face models that task files take without a revision (RENEW=1: at newer commits)
	@$(PYTHON) -m stacks.hub_lock $(if $(RENEW),--renew) \
		$(if $(TASKS),--tasks '$(TASKS)' --output '$(LOCKS)hub.lock.json')

clean: ## Remove everything that set-up and the demo made
	@rm -rf .venv .venv-emulator .venv-images node_modules .local cdk.out .pytest_cache .mypy_cache .ruff_cache

export TEXT EVENT SOURCE REVIEWER
